"""What people ask for, as values that have been checked: words, moments and filters."""
