"""What each of the 42 rules says of records that pass, fail, lack something, or are none of its business."""
