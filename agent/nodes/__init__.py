"""One file a stage of the consultation. A node returns only the channels that it changed."""
