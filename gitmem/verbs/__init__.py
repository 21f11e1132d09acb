"""What gitmem does: each verb puts the pure rooms and the edges together, and prints nothing."""
