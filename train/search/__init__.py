"""Hardware-aware search over the exit branches of a trained network (after AEBNAS)."""
