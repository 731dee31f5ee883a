"""What promotions rest on: who made a version, who carries a name now, and the record that is signed."""
