"""Figures, not judgements: ./test.sh bench [start] [lag] [memory]."""
