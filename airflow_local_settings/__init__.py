"""What Airflow imports at the start of each of its processes, by the name that it prescribes."""

from airflow_local_settings.new_runs import task_instance_mutation_hook

__all__ = ["task_instance_mutation_hook"]  # Airflow takes over each of these names
