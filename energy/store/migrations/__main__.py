"""Write the next step from what changed in tables.py: `python -m energy.store.migrations "what changes"`."""

import sys

from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

from energy.store.engine import Database
from energy.store.migrations import NEWEST
from energy.store.opening import FOLDER


def main(message: str) -> None:
    database = Database(make_url("sqlite://"))
    with database.unit("schema") as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(FOLDER))
        config.set_main_option("file_template", "v%%(rev)s_%%(slug)s")
        command.upgrade(config, "head")
        command.revision(config, message, autogenerate=True, rev_id=f"{int(NEWEST) + 1:04}")
    database.close()


if __name__ == "__main__":
    main(sys.argv[1])
