"""Where a program runs: another user, a container, a copy of the checkout, an installation."""
