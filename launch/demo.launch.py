"""The demo where ROS 2 is installed: ros2 launch ainet_ros demo.launch.py [sequence:=folder]

The tracker as tracker.launch.py starts it, and the demo's source; when the source has written its
table, everything ends. `make demo` does the same without `launch`.
"""

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("ainet_ros")


def generate_launch_description():
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "sequence",
                default_value="",
                description="folder with visible.mp4, infrared.mp4 and groundtruth.txt; "
                "empty: the generated world",
            ),
            DeclareLaunchArgument(
                "groundtruth",
                default_value="",
                description="which boxes of the folder: a file's name, or N of groundtruth_N.txt",
            ),
            DeclareLaunchArgument(
                "output",
                default_value="demo_output",
                description="folder for track.mp4, track.png and the table",
            ),
            DeclareLaunchArgument(
                "dds_profile",
                default_value=PathJoinSubstitution([SHARE, "config", "fastdds_loopback.xml"]),
                description="Fast DDS profile; the default never leaves this machine",
            ),
            SetEnvironmentVariable(
                "FASTRTPS_DEFAULT_PROFILES_FILE", LaunchConfiguration("dds_profile")
            ),
            IncludeLaunchDescription(PathJoinSubstitution([SHARE, "launch", "tracker.launch.py"])),
            Node(
                package="ainet_ros",
                executable="demo_source",
                name="demo_source",
                parameters=[
                    {
                        name: ParameterValue(LaunchConfiguration(name), value_type=str)
                        for name in ("sequence", "groundtruth", "output")
                    }
                ],
                output="screen",
                on_exit=Shutdown(),
            ),
        ]
    )
