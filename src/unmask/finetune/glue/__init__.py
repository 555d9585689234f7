"""GLUE's nine tasks (Wang et al. 2018): their files, labels, scores and submissions."""
