"""python -m deploy: the `carespace` command, also where it is not installed."""

from deploy.command import main

if __name__ == "__main__":
    main()
