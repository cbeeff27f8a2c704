"""Whatever is said: log lines, findings, output, progress; safe for a terminal, and without secrets."""
