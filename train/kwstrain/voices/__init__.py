"""Synthetic voices: the programs that speak, who speaks, and phonemes. A part of training, never of a reported figure."""
