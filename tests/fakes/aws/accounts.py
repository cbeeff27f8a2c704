"""Roles of three accounts, and the profiles of a laptop, for tests of who calls."""

from __future__ import annotations

READER = "arn:aws:iam::111111111111:role/reader"
WRITER = "arn:aws:iam::222222222222:role/writer"
KEEPER = "arn:aws:iam::333333333333:role/keeper"
PROFILES = """
[laptop-source]
aws_access_key_id = LAPTOPSOURCE
aws_secret_access_key = s

[laptop-destination]
aws_access_key_id = LAPTOPDESTINATION
aws_secret_access_key = s
"""
