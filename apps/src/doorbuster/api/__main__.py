"""The API's process: `python -m doorbuster.api`."""

from doorbuster.api.process import main

if __name__ == "__main__":
    main()
