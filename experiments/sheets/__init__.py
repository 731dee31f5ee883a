"""Spreadsheets of past experiments: read in a process of their own, mapped to fields, checked, and recorded by row."""
