"""Run the whole project on one machine, without accounts for TMDB or S3.

The sandbox is everything that `make up` starts: the project's services, Airflow, and local
programs that replace TMDB and S3. The program `supervisor` keeps all of them running.
"""
