"""git's object model, without git: what objects are, where they may be kept, and how trees are read,
edited and compared. Nothing here touches a disk."""
