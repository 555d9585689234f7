"""`python -m unmask`, and so `torchrun -m unmask`."""

from unmask.cli import main

raise SystemExit(main())
