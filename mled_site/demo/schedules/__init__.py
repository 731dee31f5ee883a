"""Ways in which the learning rate goes. Each is a file of its own: a run keeps the one it was trained with."""
