"""Whatever this program says: log lines, findings, output and progress, safe for a terminal and without secrets."""
