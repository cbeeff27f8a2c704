"""Figures, not judgements: ./test.sh bench [NAME ...]."""
