"""What somebody enters by hand of a run that is over: read from a form, a call or a pasted text, and checked."""
