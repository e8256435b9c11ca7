"""What a stored run shows: diagnosis, selections, confusion, calibration, doubtful labels, tables."""
