// An OPC UA server that shares no code with our client: node-opcua. It is told over its standard input what its nodes say, line by
// line, as server.py is. Usage: node node_server.js PORT FOLDER, where NODE_PATH has node-opcua-server.
const { OPCUAServer } = require("node-opcua-server");
const { Variant, DataType } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");
const { standardUnits } = require("node-opcua-data-access");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const readline = require("readline");
const path = require("path");

async function main(port, folder) {
  const server = new OPCUAServer({
    port: Number(port),
    host: "127.0.0.1",
    serverCertificateManager: new OPCUACertificateManager({
      automaticallyAcceptUnknownCertificate: true,
      rootFolder: path.join(folder, "pki"),
    }),
    userManager: { isValidUser: (user, password) => user === "loadstone" && password === "correct horse" },
    allowAnonymous: true,
  });
  await server.initialize();
  const namespace = server.engine.addressSpace.registerNamespace("urn:meters.example");
  const meter = namespace.addObject({
    organizedBy: server.engine.addressSpace.rootFolder.objects,
    browseName: "Meter",
    nodeId: "s=Meter",
  });
  const nodes = {};
  for (const [name, unit] of [["Power", standardUnits.watt], ["Energy", null]]) {
    const said = { componentOf: meter, browseName: name, nodeId: `s=Meter.${name}`, dataType: "Double" };
    nodes[name] = unit
      ? namespace.addAnalogDataItem({
          ...said,
          engineeringUnits: unit,
          engineeringUnitsRange: { low: 0, high: 1e9 },
          value: new Variant({ dataType: DataType.Double, value: 0 }),
        })
      : namespace.addVariable({ ...said, value: new Variant({ dataType: DataType.Double, value: 0 }) });
  }
  await server.start();
  console.log("ready");
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const said = JSON.parse(line);
    const value = new Variant({ dataType: DataType.Double, value: said.value });
    nodes[said.node].setValueFromSource(value, StatusCodes[said.status], new Date(said.source));
  }
  process.exit(0);
}

main(process.argv[2], process.argv[3]);
