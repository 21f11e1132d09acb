"""What stands before the first hash: secrets leave a transcript before any of it becomes an object."""
