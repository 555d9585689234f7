"""Speed of a model on this machine: workloads, measuring, reports, peers."""
