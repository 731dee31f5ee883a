"""What a run printed: where it comes from, and reading any part of it with little memory."""
