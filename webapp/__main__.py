"""``python -m webapp`` is ``offsetscope``."""

from webapp.cli import main

raise SystemExit(main())
