"""Setting runs side by side: differences, and what goes with what."""
