"""`python -m nkqa` is `nkqa`."""

from nkqa.cli import main

main()
