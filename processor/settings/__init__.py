"""What a task is told: each setting's definition, the file and the environment, and one frozen object of all."""
