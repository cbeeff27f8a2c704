"""What a person or a script asks for, each command a room of its own: none of them knows another."""
