"""The whole product on one laptop: Postgres, sandbox and Airflow as child processes."""
