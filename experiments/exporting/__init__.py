"""Tables as files: CSV, JSON, XLSX, Parquet, row by row, so that any number of rows takes the same memory."""
