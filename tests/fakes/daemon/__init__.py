"""The daemon and its children: real ones as tests see them, and either side without the other."""
