"""What MLflow keeps, read from a running server or from its store, as typed records that stream."""
