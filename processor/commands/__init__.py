"""What a person or a script asks for: one room for each command, none of which knows another."""
