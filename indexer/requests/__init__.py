"""From a request to its answers, out of indexes that are opened, brought up and kept open."""
