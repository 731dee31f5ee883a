from artifacts.models.blobs import ArtifactFile, ArtifactRoot, Blob
from artifacts.models.datasets import Dataset, DatasetAlias, DatasetVersion, VersionProfile, VersionRecord
from artifacts.models.quotas import ProjectQuota, QuotaUse
from artifacts.models.uploads import BlobCheck, ParkedBlob, UnnamedBlob, Upload

__all__ = [
    "ArtifactFile",
    "ArtifactRoot",
    "Blob",
    "BlobCheck",
    "Dataset",
    "DatasetAlias",
    "DatasetVersion",
    "ParkedBlob",
    "ProjectQuota",
    "QuotaUse",
    "UnnamedBlob",
    "Upload",
    "VersionProfile",
    "VersionRecord",
]
