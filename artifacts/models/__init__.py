from artifacts.models.blobs import ArtifactFile, ArtifactRoot, Blob
from artifacts.models.datasets import Dataset, DatasetVersion

__all__ = ["ArtifactFile", "ArtifactRoot", "Blob", "Dataset", "DatasetVersion"]
