"""The Airflow DAGs: the order, schedule and retries of the steps. The steps are in `scripts`."""
