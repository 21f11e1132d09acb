"""The vocabulary: words that every other room uses, and that know nothing of any of them."""
