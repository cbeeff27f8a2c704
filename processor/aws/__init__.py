"""Every call to AWS: the only room that imports AWS's library, and what replaces it where its way costs too much."""
