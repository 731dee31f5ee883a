"""What a file looks like inside, made without ever trusting the file."""
