"""Commands and configuration files for the people who operate a deployment.

They create secrets, upgrade a machine, practise recoveries (drills), and monitor the services.
"""
