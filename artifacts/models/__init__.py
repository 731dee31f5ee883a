from artifacts.models.blobs import ArtifactFile, ArtifactRoot, Blob
from artifacts.models.datasets import Dataset, DatasetAlias, DatasetVersion, VersionProfile, VersionRecord
from artifacts.models.uploads import BlobCheck, UnnamedBlob, Upload

__all__ = [
    "ArtifactFile",
    "ArtifactRoot",
    "Blob",
    "BlobCheck",
    "Dataset",
    "DatasetAlias",
    "DatasetVersion",
    "UnnamedBlob",
    "Upload",
    "VersionProfile",
    "VersionRecord",
]
