"""The Airflow DAGs: order, schedule, retries; no logic."""
