"""The edge to git: finding repositories, keeping objects and refs in them, and moving both to remotes."""
