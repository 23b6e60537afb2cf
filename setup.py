"""Build and install ainet_core and ainet_ros: `pip install .` anywhere, `colcon build` under ROS 2."""

from glob import glob

from setuptools import find_packages, setup

setup(
    name="ainet_ros",
    version="0.1.0",
    description="RGB-thermal single-object tracking (AINet) as a ROS 2 package",
    license="Apache-2.0",
    maintainer="The ainet_ros developers",
    maintainer_email="maintainers@ainet-ros.invalid",
    python_requires=">=3.10",
    packages=find_packages(include=["ainet_core*", "ainet_ros*"]),
    package_data={
        "ainet_core": ["py.typed", "weights/*"],
        "ainet_ros": ["py.typed"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/ainet_ros"]),
        ("share/ainet_ros", ["package.xml"]),
        ("share/ainet_ros/launch", glob("launch/*.py")),
        ("share/ainet_ros/config", glob("config/*.yaml")),
    ],
    install_requires=[
        "torch>=2.2",
        "numpy>=1.24",
        "opencv-python-headless>=4.8,<5",
        "safetensors>=0.4",
        "pyyaml>=6",
        "tqdm>=4.60",
    ],
    extras_require={
        "mamba": ["mamba-ssm>=2.2"],
        "training": ["deep-sort-realtime>=1.3"],
    },
    entry_points={
        "console_scripts": [
            "ainet = ainet_core.cli:main",
            "tracker_node = ainet_ros.tracker_node:main",
            "demo_source = ainet_ros.demo_source:main",
        ],
    },
    zip_safe=False,
)
