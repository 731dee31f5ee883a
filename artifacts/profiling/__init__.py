"""What is in the files of a dataset version: rows, columns, distributions. Read in a process of its own."""
