"""Reads of the log. They know no viewers: the rooms above wrap them with what a viewer may see."""
