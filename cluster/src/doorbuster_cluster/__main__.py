from doorbuster_cluster.cli import main

main(prog_name="doorbuster-cluster")
